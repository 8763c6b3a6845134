// The files that were clicked for and are not here yet, first come first served. The buttons add to them, the courier
// brings them; both come and go (a menu closes), so this stays with the window.
const orders = (window.fopOrders ??= {
  waiting: [], // { id, key, of, seen }
  notes: {}, // by a button's key what came of its last click: { text, failed }
  followers: new Set(),
  page: "", // whose buttons they are of
  // Forgets what was clicked on another page.
  arrive(page) {
    if (page !== this.page) Object.assign(this, { page, waiting: [], notes: {} });
  },
  changed() {
    for (const follower of this.followers) follower();
  },
  follow(follower) {
    this.followers.add(follower);
    follower();
    return () => this.followers.delete(follower);
  },
  // Orders a button's file, of what is seen at this moment.
  add(key, of) {
    const seen = { ...window.fopSeen, step: Number.isFinite(clock.step) ? clock.step : null };
    this.waiting.push({ id: crypto.getRandomValues(new Uint32Array(2)).join("-"), key, of, seen });
    delete this.notes[key];
    this.changed();
  },
  // The first one has come, or will not.
  close(text, failed = false) {
    this.notes[this.waiting.shift().key] = { text, failed };
    this.changed();
  },
});
