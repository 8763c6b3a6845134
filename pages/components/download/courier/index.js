// Brings ordered files from Python, one after another, each in parts that fit a message. The request is a state,
// not an event: it is sent again with whatever else the page sends, until it is answered.

// Hands a whole file to the browser, which saves it under its name.
function save(parts, name, kind) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a large one is written for a while
}

class Courier {
  constructor() {
    this.parts = [];
    this.requested = null; // the request that Python has, or will have
    this.unfollow = orders.follow(() => this.send && this.next());
  }

  show({ answer, content }, send) {
    this.send = send;
    const [order] = orders.waiting;
    if (answer && order?.id === answer.id && answer.part === this.parts.length) this.take(answer, content);
    else if (answer && order?.id !== answer.id && !orders.waiting.length) this.ask(null); // one of an earlier visit
    this.next();
  }

  take({ error, name, kind, count }, content) {
    if (error) {
      this.parts = [];
      orders.close(error, true);
      return;
    }
    this.parts.push(content);
    if (this.parts.length < count) return;
    save(this.parts, name, kind);
    this.parts = [];
    orders.close(`Saved ${name}`);
  }

  next() {
    const [order] = orders.waiting;
    this.ask(order ? { ...order, part: this.parts.length } : null);
  }

  ask(request) {
    const key = request && `${request.id} ${request.part}`;
    if (key === this.requested) return;
    this.requested = key;
    this.send("request", request);
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".fop-courier");
  orders.arrive(location.pathname);
  root.fop ??= new Courier();
  root.fop.show(unpacked(data), setStateValue);
  return atUnmount(root, () => {
    root.fop.unfollow();
    root.fop = undefined;
  });
}
