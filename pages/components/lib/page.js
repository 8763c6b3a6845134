// @ts-check
globalThis.fopLab ??= {};

/**
 * What the components of a page share at run time: `window.fopLab`, the one global of theirs. Each component is a bundle
 * with modules of its own, so what is to be one for all has to be found here. Whoever comes first makes it:
 * `page.clock ??= new Clock()`.
 */
export const page = globalThis.fopLab;
