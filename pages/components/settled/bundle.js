// Made by scripts/web.sh build of sources with the checksum bbb6588ca519e42f6c9010c6d7b3a08eee8d24f8ef6230dbee59474ab73b84a0.
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
  const ending = new AbortController();
  const end = () => {
    clearInterval(waiting);
    ending.abort();
  };
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]')) return;
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
