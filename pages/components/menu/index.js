// Folds the sidebar away once it has led to another page, where it would lie over that page.
export default function ({ data }) {
  const before = window.fopPage;
  window.fopPage = data.page;
  if (before === undefined || before === data.page || !window.matchMedia("(max-width: 768px)").matches) return;
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}
