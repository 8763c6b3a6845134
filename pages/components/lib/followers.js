// @ts-check

/**
 * Who follows something that changes, and is called at each change.
 *
 * @extends {Set<() => void>}
 */
export class Followers extends Set {
  call() {
    for (const follower of this) {
      try {
        follower();
      } catch (error) {
        reportError(error); // one picture that cannot follow keeps no other from it
      }
    }
  }

  /**
   * Calls a follower at each change from now on; returns how to end that.
   *
   * @param {() => void} follower
   */
  follow(follower) {
    this.add(follower);
    return () => {
      this.delete(follower);
    };
  }
}
