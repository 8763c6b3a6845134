// The files that were clicked for and are not here yet, first come first served. The buttons add to them, the courier
// brings them; both come and go (a menu closes), so this stays with the window.
const orders = (window.fopOrders ??= {
  waiting: [], // { id, key, of, screen, page }
  notes: {}, // by a button's key what came of its last click: { text, failed }
  followers: new Set(),
  page: "", // whose notes they are
  // Forgets what was clicked on another page; on this one the buttons may have come before the courier.
  arrive(page) {
    if (page === this.page) return;
    Object.assign(this, { page, waiting: this.waiting.filter((order) => order.page === page), notes: {} });
    this.changed();
  },
  changed() {
    for (const follower of this.followers) follower();
  },
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => this.followers.delete(follower);
  },
  // Orders a button's file, of what the screen shows at this moment.
  add(key, of) {
    const screen = { ...window.fopScreen, step: Number.isFinite(clock.step) ? clock.step : null };
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    this.waiting.push({ id, key, of, screen, page: location.pathname });
    delete this.notes[key];
    this.changed();
  },
  // The first one has come, or will not.
  close(text, failed = false) {
    this.notes[this.waiting.shift().key] = { text, failed };
    this.changed();
  },
});
