// Made by scripts/web.sh build of sources with the checksum 5ec5d513bbdc33213b63909e4b199e47d64b4a5421399fa267e6a1adc426199e.
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

// follow/index.js
function show({ data, parentElement }) {
  if (parentElement.dataset.followed === data.to) return;
  const follow = () => {
    const link = document.querySelector(".st-key-follow a");
    if (!parentElement.isConnected) return;
    if (!(link instanceof HTMLElement)) {
      requestAnimationFrame(follow);
      return;
    }
    parentElement.dataset.followed = data.to;
    link.click();
  };
  follow();
}
var index_default = inOrder(show);
export {
  index_default as default
};
