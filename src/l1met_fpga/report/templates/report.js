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
