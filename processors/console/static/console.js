// Keys on the list of reviews: j and k move, Enter opens. They can be turned off, which is remembered on this computer.
(() => {
  const rows = () => [...document.querySelectorAll("table.keys tbody tr")];
  const button = document.getElementById("keys-off");
  let here = -1;
  let off = localStorage.getItem("keys") === "off";
  const show = () => { if (button) { button.setAttribute("aria-pressed", String(off)); button.textContent = off ? "Turn keys on" : "Turn keys off"; } };
  if (button) { show(); button.addEventListener("click", () => { off = !off; localStorage.setItem("keys", off ? "off" : "on"); show(); }); }
  document.addEventListener("keydown", (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(event.target.tagName)) return;
    const all = rows();
    if (!all.length) return;
    if (event.key === "j" || event.key === "k") {
      here = Math.min(all.length - 1, Math.max(0, here + (event.key === "j" ? 1 : -1)));
      all.forEach((row, place) => row.classList.toggle("here", place === here));
      all[here].querySelector("a").focus();
    }
  });
})();
