// What the pages do more where there is JavaScript. Without it they all work.
"use strict";

(() => {
  // Pages replace each other in the history, so that Back leads to where one came from, not through what one did here.
  const leave = () => window.location.replace("/leave");

  const put = (text) => {
    document.open();
    document.write(text);
    document.close();
  };

  const solve = async ({ challenge, salt, signature, maxnumber }) => {
    for (let number = 0; number < maxnumber; number += 1) {
      const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(salt + number)));
      if (Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("") === challenge)
        return btoa(JSON.stringify({ challenge, salt, signature, number }));
    }
    return "";
  };

  const send = async (form) => {
    if (form.dataset.challenge && window.crypto && crypto.subtle)
      form.elements.altcha.value = await solve(JSON.parse(form.dataset.challenge));
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "follow" });
    put(await answer.text());
  };

  let shifts = [];
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") shifts = [];
    else if (!event.repeat) shifts = [...shifts.filter((at) => event.timeStamp - at < 2000), event.timeStamp];
    if (shifts.length >= 3) leave();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || link.getAttribute("href").startsWith("#") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    window.location.replace(link.href);
  });
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    event.target.querySelectorAll("button").forEach((each) => { each.disabled = true; });
    send(event.target).catch(() => event.target.submit());
  });

  const told = document.querySelector("#problem, #found, [role=status]");
  if (told) {
    told.tabIndex = -1;
    told.focus();
  }
})();
