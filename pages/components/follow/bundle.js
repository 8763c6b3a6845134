// Made by scripts/web.sh build of sources with the checksum 5b8c61ec4ce408ebe46d39bc611c8c2ea0d23aa055b91692db299e4c7024bf47.
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
