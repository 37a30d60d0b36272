"use strict";
// All rows stay in memory; the table holds those that fit the search, and at first only some of many.
const FEW = 300;
const find = (id) => document.getElementById(id);
const body = document.querySelector("#cases tbody");
const heads = Array.from(document.querySelectorAll("#cases th"));
const collator = new Intl.Collator(undefined, { numeric: true });
let most = FEW;
let rows = Array.from(document.querySelectorAll("#cases tbody tr"), (row) => {
  const cells = Array.from(row.children, (cell) => cell.dataset.rank ?? cell.textContent);
  return { row, cells, level: row.children[1].textContent, text: row.textContent.toLowerCase() };
});

const show = () => {
  const words = find("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const level = find("level").value;
  const fit = rows.filter((each) => (!level || each.level === level) && words.every((word) => each.text.includes(word)));
  const shown = fit.slice(0, most);
  body.replaceChildren(...shown.map((each) => each.row));
  find("count").textContent = `${shown.length} of ${fit.length} shown`;
  find("more").hidden = shown.length === fit.length;
};

const compare = (a, b) => {
  const numbers = Number(a) - Number(b);
  return Number.isNaN(numbers) ? collator.compare(a, b) : numbers;
};

const sort = (column) => {
  const head = heads[column];
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  rows.sort((one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1); // empty cells stay last
    return sign * compare(a, b);
  });
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  show();
};

heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(column)));
find("words").addEventListener("input", show);
find("level").addEventListener("change", show);
find("more").addEventListener("click", () => {
  most = Infinity;
  show();
});
show();
