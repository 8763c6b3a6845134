// Follows the link beside it, once, as a click would: one step of the browser's history, to which Back returns.
export default function ({ data, parentElement }) {
  if (parentElement.dataset.followed === data.to) return;
  const follow = () => {
    const link = document.querySelector(".st-key-follow a");
    if (!parentElement.isConnected) return;
    if (!link) return requestAnimationFrame(follow); // it comes with the same run of the page
    parentElement.dataset.followed = data.to;
    link.click();
  };
  follow();
}
