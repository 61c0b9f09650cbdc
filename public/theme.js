// Puts the chosen theme on the document before anything is drawn.
// A file of its own, since the page's policy allows no script inside of it.
(() => {
  const root = document.documentElement;
  root.dataset.script = "";
  try {
    const theme = localStorage.getItem("holter-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is forbidden: then it is the system's theme.
  }
})();
