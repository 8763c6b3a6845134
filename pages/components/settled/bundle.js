// Made by scripts/web.sh build of sources with the checksum 4d8e09fb4b6b4416d974b7c0a9f194eb5f348c0f2873e27516ec71356f5d10bf.
// settled/index.js
var PAUSE = 50;
function index_default({ setTriggerValue }) {
  const waiting = setInterval(() => {
    if (document.querySelector('[data-testid="stSkeleton"]')) return;
    clearInterval(waiting);
    setTriggerValue("settled", true);
  }, PAUSE);
  return () => clearInterval(waiting);
}
export {
  index_default as default
};
