// Keys: on the list of reviews j and k move, Enter opens, x ticks; on a review r, d and u go to release, discard and undo;
// / goes to the search, ? to what the keys are. They can be turned off, which is remembered on this computer.
(() => {
  const rows = () => [...document.querySelectorAll("table.keys tbody tr")];
  const button = document.getElementById("keys-off");
  let here = -1;
  let off = localStorage.getItem("keys") === "off";
  const show = () => { button.hidden = false; button.setAttribute("aria-pressed", String(off)); };
  if (button) { show(); button.addEventListener("click", () => { off = !off; localStorage.setItem("keys", off ? "off" : "on"); show(); }); }
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    here = Math.min(all.length - 1, Math.max(0, here + step));
    all.forEach((row, place) => row.classList.toggle("here", place === here));
    all[here].querySelector("a").focus();
  };
  const act = (key) => {
    if (key === "j" || key === "k") move(key === "j" ? 1 : -1);
    else if (key === "x" && here >= 0) rows()[here].querySelector("input[type=checkbox]").click();
    else if (key === "/") { const search = document.getElementById("q"); if (search) search.focus(); else window.location.assign("/#q"); }
    else if (key === "?") button.focus();
    else document.querySelector(`button[data-key="${key}"]`)?.focus();
  };
  if (window.location.hash === "#q") document.getElementById("q")?.focus();
  document.addEventListener("keydown", (event) => {
    if (off || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(SELECT|TEXTAREA)$/.test(event.target.tagName) || (event.target.tagName === "INPUT" && event.target.type !== "checkbox")) return;
    if (!/^[jkxrdu/?]$/.test(event.key)) return;
    event.preventDefault();
    act(event.key);
  });
})();
