// @ts-check

/**
 * The last index in ascending steps at or before a step; 0 where there is none.
 *
 * @param {ArrayLike<number>} steps
 * @param {number} step
 */
export function before(steps, step) {
  let [low, high] = [0, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}
