// Renews the main part of the page every second; says so when the controller does not answer.
"use strict";
async function renew() {
  const main = document.querySelector("main");
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const selecting = document.getSelection() && !document.getSelection().isCollapsed;
    if (!selecting) main.innerHTML = page.querySelector("main").innerHTML;
    main.style.opacity = "1";
  } catch {
    main.style.opacity = "0.5";
  }
  setTimeout(renew, 1000);
}
setTimeout(renew, 1000);
