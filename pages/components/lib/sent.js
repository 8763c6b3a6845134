// @ts-check

/**
 * What a component has sent to Python, until it comes back: an answer that is late is older than what the reader has done
 * since.
 */
export class Sent {
  constructor() {
    /** @type {string[]} */
    this.keys = [];
  }

  /** @param {string} key identifies what is sent */
  add(key) {
    this.keys.push(key);
  }

  /**
   * Whether what comes is what was sent, and not of another's making; forgets it and all that was sent before.
   *
   * @param {string} key
   */
  isEcho(key) {
    const at = this.keys.indexOf(key);
    this.keys.splice(0, at + 1);
    return at >= 0;
  }
}
