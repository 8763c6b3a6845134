// Made by scripts/web.sh build of sources with the checksum 3f9b853661a4eaa13998d83fbd2a9577d36e4e98dcd23ed1b66c0a48ecfd526f.
// lib/page.js
globalThis.fopLab ??= {};
var page = globalThis.fopLab;

// lib/lifetime.js
function unlessLeaving(mount) {
  const sends = ["setStateValue", "setTriggerValue"].filter((name) => name in Object(mount));
  if (!sends.length) return mount;
  const all = (
    /** @type {Record<string, (...what: unknown[]) => void>} */
    mount
  );
  const quiet = sends.map((name) => {
    const send = (...what) => void (page.passage?.leaves() || all[name]?.(...what));
    return [name, send];
  });
  return { ...mount, ...Object.fromEntries(quiet) };
}
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(unlessLeaving(mount));
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};

// settled/index.js
var PAUSE = 50;
function show({ setTriggerValue }) {
  const ending = new AbortController();
  const end = () => {
    clearInterval(waiting);
    ending.abort();
  };
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]') || page.passage?.leaves()) return;
    end();
    setTriggerValue("settled", true);
  }, PAUSE);
  const watched = { capture: true, signal: ending.signal };
  window.addEventListener("popstate", end, watched);
  window.addEventListener("click", ({ target }) => target instanceof Element && target.closest("a") && end(), watched);
  return end;
}
var index_default = inOrder(show);
export {
  index_default as default
};
