"use strict";
// Without this script, and in print, before and after stand side by side.
document.documentElement.classList.add("wiped");

const wipe = (input) => input.closest(".stack").style.setProperty("--at", `${input.value}%`);
const wipes = Array.from(document.querySelectorAll(".wipe"));
for (const input of wipes) {
  input.addEventListener("input", () => wipe(input));
  wipe(input); // some browsers restore values on reload
}

const all = document.getElementById("all");
if (all) {
  all.addEventListener("input", () => {
    for (const input of wipes) {
      input.value = all.value;
      wipe(input);
    }
  });
}

for (const name of ["outline", "spread"]) {
  const box = document.getElementById(name);
  if (box) {
    const show = () => document.querySelector("main").classList.toggle(`with-${name}`, box.checked);
    box.addEventListener("change", show);
    show();
  }
}
