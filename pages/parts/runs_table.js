// The table of runs. Rows are known by their runs' ids, so what ticks changes cells, and choice, order and scroll stay.

const PATIENCE = 4000; // ms in which the page may not know yet what was chosen here

const element = (name, className = "") => Object.assign(document.createElement(name), { className });

// Words, what they are sorted by, what hovering tells.
const cellOf = ({ cells }, at) => (Array.isArray(cells[at]) ? cells[at] : [cells[at], cells[at]]);

class Runs {
  constructor(root) {
    this.scroll = root.querySelector(".fop-runs-scroll");
    this.head = root.querySelector("thead tr");
    this.body = root.querySelector("tbody");
    this.rows = new Map(); // by id: the row as data, its text, its node
    this.chosen = new Set();
    this.sort = null; // column and direction; as they come where there is none
    this.sent = -Infinity; // when a choice was last made here
    this.all = element("input");
    this.all.type = "checkbox";
    this.all.onchange = () => this.choose(this.all.checked ? [...this.rows.keys()].slice(0, this.data.most) : []);
    this.body.onclick = (event) => this.click(event);
  }

  show(data, send) {
    this.send = send;
    this.data = data;
    this.columns(data.columns);
    const ids = new Set(data.rows.map((row) => row.id));
    for (const [id, { node }] of this.rows) {
      if (ids.has(id)) continue;
      node.remove();
      this.rows.delete(id);
    }
    this.order = data.rows.map((row) => row.id);
    for (const row of data.rows) this.row(row);
    const theirs = JSON.stringify(data.chosen);
    if (performance.now() - this.sent > PATIENCE || theirs === JSON.stringify([...this.chosen])) {
      this.sent = -Infinity;
      this.chosen = new Set(data.chosen);
    }
    this.arrange();
    this.mark();
    if (!this.met) this.body.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.met = true;
  }

  columns(columns) {
    const shown = JSON.stringify(columns);
    if (this.shown === shown) return;
    this.shown = shown;
    this.rows.clear();
    this.body.replaceChildren();
    this.blank = null; // a row without words
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

  row(row) {
    const text = JSON.stringify(row);
    const known = this.rows.get(row.id);
    if (known?.text === text) return;
    const node = known?.node ?? this.made(row.id);
    this.rows.set(row.id, { row, text, node });
    node.style.setProperty("--fop-state", row.color);
    const cells = [...node.children];
    this.data.columns.forEach(({ name }, at) => {
      const cell = cells[at + 1];
      const [words, , told] = cellOf(row, at);
      if (name === "name") cell.firstChild.textContent = words;
      else if (name === "state") cell.firstChild.textContent = words;
      else cell.lastChild.nodeValue = words;
      if (name === "state") cell.firstChild.dataset.symbol = row.symbol;
      if (name === "progress") {
        cell.firstChild.style.setProperty("--share", `${100 * row.share}%`);
        cell.firstChild.hidden = row.share === null || row.share >= 1;
      }
      if ((told ?? "") !== cell.title) cell.title = told ?? "";
    });
    cells[0].firstChild.setAttribute("aria-label", `Choose ${cellOf(row, this.at("name"))[0]}`);
  }

  made(id) {
    this.blank ??= this.empty();
    const node = this.blank.cloneNode(true);
    node.dataset.run = id;
    return node;
  }

  empty() {
    const node = element("tr");
    const box = element("input");
    box.type = "checkbox";
    node.insertCell().append(box);
    for (const { name, number } of this.data.columns) {
      const cell = node.insertCell();
      cell.className = number ? "fop-runs-number" : "";
      if (name === "name") cell.append(Object.assign(element("button"), { type: "button" }));
      else if (name === "state") cell.append(element("span", "fop-runs-state"));
      else {
        if (name === "progress") cell.append(element("span", "fop-runs-share"));
        cell.append("");
      }
    }
    return node;
  }

  at(name) {
    return this.data.columns.findIndex((column) => column.name === name);
  }

  // Puts the rows in order; nodes are moved only where that has changed.
  arrange() {
    const ids = [...this.order];
    if (this.sort) {
      const at = this.at(this.sort.name);
      const value = (id) => cellOf(this.rows.get(id).row, at)[1];
      const order = (a, b) => (typeof a === "string" || typeof b === "string" ? `${a}`.localeCompare(b, "en", { numeric: true }) : a - b);
      ids.sort((one, other) => {
        const [a, b] = [value(one), value(other)];
        if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last
        return (this.sort.down ? -1 : 1) * order(a, b);
      });
    }
    const now = [...this.body.children].map((node) => node.dataset.run);
    if (now.length !== ids.length || now.some((id, at) => id !== ids[at])) {
      const [top, focused] = [this.scroll.scrollTop, document.activeElement];
      this.body.append(...ids.map((id) => this.rows.get(id).node));
      this.scroll.scrollTop = top;
      if (this.body.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
    }
    for (const cell of this.head.children)
      if (this.sort?.name === cell.dataset.name && this.sort)
        cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
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
      const ids = [...this.body.children].map((each) => each.dataset.run);
      const [from, to] = [ids.indexOf([...this.chosen].at(-1)), ids.indexOf(id)].sort((a, b) => a - b);
      this.choose([...new Set([...this.chosen, ...ids.slice(Math.max(from, 0), to + 1)])]);
    } else this.choose(this.chosen.size === 1 && this.chosen.has(id) ? [] : [id]);
  }

  choose(ids) {
    this.chosen = new Set(ids.slice(0, this.data.most));
    this.sent = performance.now();
    this.mark();
    this.send("chosen", [...this.chosen]);
  }

  mark() {
    for (const [id, { node }] of this.rows) {
      const on = this.chosen.has(id);
      const box = node.firstChild.firstChild;
      if (node.ariaSelected === `${on}` && box.checked === on) continue;
      node.setAttribute("aria-selected", on);
      box.checked = on;
    }
    const count = [...this.rows.keys()].filter((id) => this.chosen.has(id)).length;
    this.all.checked = count > 0 && count >= Math.min(this.rows.size, this.data.most);
    this.all.indeterminate = count > 0 && !this.all.checked;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fop-runs");
  root.fop ??= new Runs(root);
  root.fop.show(unpacked(data), setTriggerValue);
}
