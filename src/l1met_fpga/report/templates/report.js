"use strict";
// Sort a table by a column: numbers by value, texts by alphabet, dashes always last.
function keyOf(cell) {
  const text = cell.textContent.trim();
  const number = parseFloat(text.replace("−", "-"));
  return Number.isNaN(number) ? text.toLowerCase() : number;
}
function compare(a, b, sign) {
  if (typeof a === typeof b) return sign * (a < b ? -1 : a > b ? 1 : 0);
  return typeof a === "number" ? -1 : 1;
}
for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const table = header.closest("table");
    const column = header.cellIndex;
    const sign = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.querySelectorAll("thead th")) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    rows.sort((x, y) => compare(keyOf(x.cells[column]), keyOf(y.cells[column]), sign));
    body.append(...rows);
  });
}

// Parts are folded: a link opens what it leads to, a button opens all, and so does printing.
const folds = () => document.querySelectorAll("main details");
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", reveal);
for (const link of document.querySelectorAll("nav a")) link.addEventListener("click", () => setTimeout(reveal));
reveal();
const all = document.getElementById("all");
all?.addEventListener("click", () => {
  const open = all.getAttribute("aria-pressed") !== "true";
  for (const part of folds()) part.open = open;
  all.setAttribute("aria-pressed", String(open));
  all.textContent = open ? "fold all" : "open all";
});
addEventListener("beforeprint", () => { for (const part of folds()) part.open = true; });
