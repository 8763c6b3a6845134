// Made by scripts/web.sh build of sources with the checksum ebb08951ff6d34809fa703e11502a2bcb0977af771ee24cb7702ccc937f4ca54.
// follow/index.js
function index_default({ data, parentElement }) {
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
export {
  index_default as default
};
