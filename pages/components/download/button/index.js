// A button that orders a file and says what came of it.
export default function ({ data, parentElement }) {
  const [button, note] = parentElement.querySelector(".fop-download").children;
  button.textContent = data.label;
  button.classList.toggle("fop-primary", data.primary);
  button.onclick = () => orders.add(data.key, data.of);
  const show = () => {
    const waits = orders.waiting.some(({ key }) => key === data.key);
    const { text = "", failed = false } = orders.notes[data.key] ?? {};
    button.setAttribute("aria-busy", String(waits));
    note.textContent = waits ? "Making the file …" : text;
    note.classList.toggle("fop-failed", failed && !waits);
  };
  button.unfollow?.();
  button.unfollow = orders.follow(show);
  return atUnmount(button, button.unfollow);
}
