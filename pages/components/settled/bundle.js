// Made by scripts/web.sh build of sources with the checksum 1816028c0a10a62c0202477a9d54f3169aed91e0bee1e3b285451435c135173b.
// lib/lifetime.js
var inOrder = (show2) => (mount) => {
  let leave;
  const waiting = setTimeout(() => {
    leave = show2(mount);
  });
  return () => {
    clearTimeout(waiting);
    leave?.();
  };
};

// settled/index.js
var PAUSE = 50;
function show({ setTriggerValue }) {
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]')) return;
    clearInterval(waiting);
    setTriggerValue("settled", true);
  }, PAUSE);
  return () => clearInterval(waiting);
}
var index_default = inOrder(show);
export {
  index_default as default
};
