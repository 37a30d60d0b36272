"use strict";
const body = document.querySelector("#cases tbody");
const heads = Array.from(document.querySelectorAll("#cases th"));
const order = new Intl.Collator(undefined, { numeric: true });

const value = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.rank ?? cell.textContent;
  const number = text === "" ? NaN : Number(text);
  return { text, number };
};

const sort = (column) => {
  const head = heads[column];
  const falling = head.getAttribute("aria-sort") === "ascending";
  const keyed = Array.from(body.rows, (row) => ({ row, ...value(row, column) }));
  keyed.sort((a, b) => {
    if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1; // empty cells stay last
    const both = !Number.isNaN(a.number) && !Number.isNaN(b.number);
    const ascending = both ? a.number - b.number : order.compare(a.text, b.text);
    return falling ? -ascending : ascending;
  });
  body.append(...keyed.map((each) => each.row));
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falling ? "descending" : "ascending");
};
heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(column)));

const words = document.getElementById("words");
const level = document.getElementById("level");
const filter = () => {
  const sought = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.rows) {
    const text = row.textContent.toLowerCase();
    const fits = (!level.value || row.cells[1].textContent === level.value) && sought.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown} shown`;
};
words.addEventListener("input", filter);
level.addEventListener("change", filter);
filter();
