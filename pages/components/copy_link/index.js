// Copies the address. Where a page may not write to the clipboard, it is shown to copy by hand.
export default function ({ parentElement }) {
  const button = parentElement.querySelector(".fop-copy");
  const words = "Copy link";
  let later;
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
      clearTimeout(later);
      later = setTimeout(() => (button.textContent = words), 4000);
    } catch {
      window.prompt("Copy this address:", location.href);
    }
  };
  return () => clearTimeout(later);
}
