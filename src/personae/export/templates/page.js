"use strict";
const tools = document.getElementById("tools");
if (tools) {
  const find = document.getElementById("find");
  const doubt = document.getElementById("doubt");
  const found = document.getElementById("found");
  const unfold = document.getElementById("unfold");
  const rows = Array.from(document.querySelectorAll("article"), (row) => ({
    row,
    photos: Array.from(row.querySelectorAll(".face"), (face) => face.title),
  }));
  const lone = Array.from(document.querySelectorAll("section .face"));
  const folds = Array.from(document.querySelectorAll("article details"));

  const show = () => {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    for (const { row, photos } of rows) {
      const words = [row.querySelector("h2").textContent, ...photos].join("\n").toLowerCase();
      row.hidden = !words.includes(wanted) || Boolean(doubt?.checked && !("doubt" in row.dataset));
      shown += row.hidden ? 0 : 1;
    }
    for (const face of lone) face.hidden = !face.title.toLowerCase().includes(wanted);
    found.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} people`;
  };
  find.addEventListener("input", show);
  doubt?.addEventListener("change", show);
  tools.addEventListener("submit", (event) => event.preventDefault());
  unfold.hidden = folds.length === 0;
  unfold.addEventListener("click", () => {
    const open = folds.some((fold) => !fold.open);
    for (const fold of folds) fold.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });
  tools.hidden = false;
  show();
}
