// The table of runs. Rows are known by their runs' ids, so what ticks changes cells, and choice, order and scroll stay.

const PATIENCE = 4000; // ms in which the page may not know yet what was chosen here

const STRETCH = 120; // rows
const AHEAD = 600; // px above the end at which more rows come
const COLLATOR = new Intl.Collator("en", { numeric: true });

const element = (name, className = "") => Object.assign(document.createElement(name), { className });

// Words, what they are sorted by, what hovering tells.
const cellOf = ({ cells }, at) => (Array.isArray(cells[at]) ? cells[at] : [cells[at], cells[at]]);

class Runs {
  constructor(root) {
    this.note = root.querySelector(".fop-runs-note");
    this.scroll = root.querySelector(".fop-runs-scroll");
    this.head = root.querySelector("thead tr");
    this.body = root.querySelector("tbody");
    this.rows = new Map(); // by id: the row as data, its text, its node once it is in sight, whether that is of before
    this.chosen = new Set();
    this.wanted = 0; // runs that were to be chosen, which may be more than can be
    this.sort = null; // column and direction; as they come where there is none
    this.sent = -Infinity; // when a choice was last made here
    this.limit = STRETCH; // rows that have a node: more as one scrolls
    this.all = element("input");
    this.all.type = "checkbox";
    this.all.onchange = () => {
      const full = this.chosen.size >= Math.min(this.data.most, this.sorted.length);
      this.choose(this.all.checked && !full ? this.sorted : []);
    };
    this.body.onclick = (event) => this.click(event);
    this.scroll.onscroll = () => {
      const { scrollTop, clientHeight, scrollHeight } = this.scroll;
      if (this.limit >= this.rows.size || scrollTop + clientHeight < scrollHeight - AHEAD) return;
      this.limit += STRETCH;
      this.arrange();
    };
  }

  show(data, send) {
    this.data = data;
    this.send = send;
    this.columns(data.columns);
    this.order = data.rows.map(({ id }) => id);
    const ids = new Set(this.order);
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
    for (const row of data.rows) {
      const text = JSON.stringify(row);
      const known = this.rows.get(row.id);
      if (!known) this.rows.set(row.id, { row, text, stale: true });
      else if (known.text !== text) Object.assign(known, { row, text, stale: true });
    }
    const theirs = JSON.stringify(data.chosen);
    if (performance.now() - this.sent > PATIENCE || theirs === JSON.stringify([...this.chosen])) {
      this.sent = -Infinity;
      if (theirs !== JSON.stringify([...this.chosen])) this.wanted = data.wanted;
      this.chosen = new Set(data.chosen);
    }
    if (!this.met) this.limit = Math.max(this.limit, 1 + this.order.findIndex((id) => this.chosen.has(id)));
    this.arrange();
    if (!this.met) this.body.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.met = true;
  }

  columns(columns) {
    const shown = JSON.stringify(columns);
    if (this.shown === shown) return;
    this.shown = shown;
    this.rows.clear();
    this.body.replaceChildren();
    this.blank = this.empty(columns); // a row without words
    if (this.sort && !columns.some(({ name }) => name === this.sort.name)) this.sort = null;
    const box = element("th");
    this.all.setAttribute("aria-label", "Choose all runs");
    box.append(this.all);
    this.head.replaceChildren(
      box,
      ...columns.map(({ name, label, number, help }) => {
        const cell = element("th", number ? "fop-runs-number" : "");
        const button = element("button");
        button.type = "button";
        button.textContent = label;
        cell.dataset.name = name;
        if (help) cell.title = help;
        button.onclick = () => {
          const again = this.sort?.name === name;
          if (again && this.sort.flipped) this.sort = null;
          else this.sort = { name, flipped: again, down: number ? !again : again };
          this.arrange();
        };
        cell.append(button);
        return cell;
      }),
    );
  }

  empty(columns) {
    const node = element("tr");
    const box = element("input");
    box.type = "checkbox";
    node.insertCell().append(box);
    for (const { name, number } of columns) {
      const cell = node.insertCell();
      cell.className = number ? "fop-runs-number" : "";
      if (name === "name") cell.append(Object.assign(element("button"), { type: "button" }));
      else if (name === "state") cell.append(element("span", "fop-runs-state"));
      else if (name === "progress") cell.append(element("span", "fop-runs-share"), "");
      else cell.append("");
    }
    return node;
  }

  fill(node, row) {
    node.style.setProperty("--fop-state", row.color);
    const cells = [...node.children];
    this.data.columns.forEach(({ name }, at) => {
      const cell = cells[at + 1];
      const [words, , hint] = cellOf(row, at);
      if (name === "name" || name === "state") cell.firstChild.textContent = words;
      else cell.lastChild.nodeValue = words;
      if (name === "name") cells[0].firstChild.setAttribute("aria-label", `Choose ${words}`);
      if (name === "state") cell.firstChild.dataset.symbol = row.symbol;
      if (name === "progress") {
        cell.firstChild.style.setProperty("--share", `${100 * row.share}%`);
        cell.firstChild.hidden = row.share === null || row.share >= 1;
      }
      if (hint || cell.title) cell.title = hint ?? "";
    });
  }

  // Puts the rows in order and up to date; nodes are moved only where the order has changed.
  arrange() {
    this.sorted = this.inOrder();
    const nodes = this.sorted.slice(0, this.limit).map((id) => {
      const known = this.rows.get(id);
      if (!known.node) {
        known.node = this.blank.cloneNode(true);
        known.node.dataset.run = id;
      }
      if (known.stale) this.fill(known.node, known.row);
      known.stale = false;
      return known.node;
    });
    const now = this.body.children;
    if (now.length !== nodes.length || nodes.some((node, at) => node !== now[at])) {
      const [top, focused] = [this.scroll.scrollTop, document.activeElement];
      this.body.replaceChildren(...nodes);
      this.scroll.scrollTop = top;
      if (this.body.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
    }
    for (const cell of this.head.children)
      if (this.sort && this.sort.name === cell.dataset.name)
        cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    this.mark();
  }

  inOrder() {
    if (!this.sort) return this.order;
    const at = this.data.columns.findIndex(({ name }) => name === this.sort.name);
    const direction = this.sort.down ? -1 : 1;
    const values = new Map(this.order.map((id) => [id, cellOf(this.rows.get(id).row, at)[1]]));
    return [...this.order].sort((one, other) => {
      const [a, b] = [values.get(one), values.get(other)];
      if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last
      return direction * (typeof a === "number" && typeof b === "number" ? a - b : COLLATOR.compare(a, b));
    });
  }

  click(event) {
    const node = event.target.closest("tr");
    if (!node) return;
    const id = node.dataset.run;
    const more = event.target.type === "checkbox" || event.target.closest("td").cellIndex === 0;
    if (more || event.ctrlKey || event.metaKey) {
      const others = [...this.chosen].filter((each) => each !== id);
      this.choose(this.chosen.has(id) ? others : [...others, id]);
    } else if (event.shiftKey && this.chosen.size) {
      const ids = this.sorted;
      const [from, to] = [ids.indexOf([...this.chosen].at(-1)), ids.indexOf(id)].sort((a, b) => a - b);
      this.choose([...new Set([...this.chosen, ...ids.slice(Math.max(from, 0), to + 1)])]);
    } else this.choose(this.chosen.size === 1 && this.chosen.has(id) ? [] : [id]);
  }

  choose(ids) {
    this.wanted = ids.length;
    this.chosen = new Set(ids.slice(0, this.data.most));
    this.sent = performance.now();
    this.mark();
    this.send("chosen", [...this.chosen]);
  }

  mark() {
    for (const node of this.body.children) {
      const id = node.dataset.run;
      const on = this.chosen.has(id);
      const box = node.firstChild.firstChild;
      if (node.ariaSelected === `${on}` && box.checked === on) continue;
      node.setAttribute("aria-selected", on);
      box.checked = on;
    }
    const count = [...this.rows.keys()].filter((id) => this.chosen.has(id)).length;
    this.all.checked = count > 0 && count === this.rows.size;
    this.all.indeterminate = count > 0 && !this.all.checked;
    const { most } = this.data;
    this.note.hidden = this.wanted <= most;
    this.note.textContent = `${most} of ${this.wanted} selected: no more than ${most} at once. Find, State and Tags narrow the table.`;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fop-runs");
  root.fop ??= new Runs(root);
  root.fop.show(unpacked(data), setTriggerValue);
  if (root.fop.data.plotly) library(root.fop.data.plotly).catch(() => {}); // before the first point needs it
}
