// @ts-check
/** @import { Send } from "../../lib/types.d.ts" */
/** @import { Orders } from "../orders.js" */
/** @import { Answer, CourierData, Request } from "../types.d.ts" */

const PATIENCE = 15_000; // ms

/**
 * Brings ordered files from Python, one after another, each in parts that fit a message. The request is a state, not an
 * event: it is sent again with whatever else the page sends, until it is answered. Where the connection was lost, nothing
 * else may be sent: after a while the same is asked for anew, and Python, which keeps what it made, gives it again.
 */
export class Courier {
  /**
   * @param {Orders} orders
   * @param {(blob: Blob, name: string) => void} save
   * @param {number} patience ms until a request that is not answered is sent again
   */
  constructor(orders, save, patience = PATIENCE) {
    this.orders = orders;
    this.save = save;
    this.patience = patience;
    this.again = 0; // how often a request was sent anew: one that is no other would not be sent
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Send | null} */
    this.send = null;
    /** @type {ArrayBuffer[]} */
    this.parts = [];
    /**
     * What the request that Python has, or will have, is known by.
     *
     * @type {string | null}
     */
    this.requested = null;
    this.unfollow = orders.follow(() => {
      if (this.send) this.next();
    });
  }

  end() {
    clearTimeout(this.timer);
    this.unfollow();
  }

  /**
   * @param {CourierData} data
   * @param {Send} send
   */
  show({ answer, content }, send) {
    this.send = send;
    const order = this.orders.waiting.at(0);
    if (answer && order?.id === answer.id && answer.part === this.parts.length) this.take(answer, content);
    this.next(); // no request, where nothing is waited for: the answer is one of an earlier visit
  }

  /**
   * @param {Answer} answer
   * @param {ArrayBuffer} content
   */
  take(answer, content) {
    if (answer.name === undefined) {
      this.parts = [];
      this.orders.close(answer.error, true);
      return;
    }
    this.parts.push(content);
    if (this.parts.length < answer.count) return;
    this.save(new Blob(this.parts, { type: answer.kind }), answer.name);
    this.parts = [];
    this.orders.close(`Saved ${answer.name}`);
  }

  next() {
    const order = this.orders.waiting.at(0);
    this.ask(order ? { ...order, part: this.parts.length, again: this.again } : null);
  }

  /** @param {Request | null} request */
  ask(request) {
    const key = request && `${request.id} ${request.part}`;
    if (key === this.requested) return;
    this.requested = key;
    clearTimeout(this.timer);
    if (request) this.timer = setTimeout(() => this.repeat(), this.patience);
    this.send?.("request", request);
  }

  repeat() {
    this.again += 1;
    this.requested = null;
    this.next();
  }
}
