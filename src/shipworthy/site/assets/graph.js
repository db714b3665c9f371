/* Points at the neighbours of a point; a mouse that drags moves, its wheel with a held control key zooms. */
"use strict";
(() => {
  const drawing = document.getElementById("graph");
  if (!drawing) return;
  const nodes = [...drawing.querySelectorAll("a")];
  const lines = drawing.querySelector(".edges.on");
  const at = (node) => {
    const circle = node.querySelector("circle");
    return `${circle.getAttribute("cx")} ${circle.getAttribute("cy")}`;
  };
  function point(node) {
    const near = new Set(node ? node.dataset.to.split(" ").filter(Boolean).map(Number) : []);
    nodes.forEach((other, number) => {
      other.classList.toggle("near", near.has(number));
      other.classList.toggle("dull", Boolean(node) && other !== node && !near.has(number));
    });
    lines.setAttribute("d", [...near].map((number) => `M${at(node)}L${at(nodes[number])}`).join(""));
  }
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => point(node));
    node.addEventListener("pointerleave", () => point(null));
    node.addEventListener("focus", () => point(node));
    node.addEventListener("blur", () => point(null));
  }
  const view = drawing.viewBox.baseVal;
  let from = null;
  let moved = false;
  drawing.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.pointerType === "mouse") from = [event.clientX, event.clientY]; // a finger scrolls
  });
  drawing.addEventListener("pointermove", (event) => {
    if (!from) return;
    const scale = view.width / drawing.clientWidth;
    if (Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 4) moved = true;
    if (!moved) return;
    view.x -= (event.clientX - from[0]) * scale;
    view.y -= (event.clientY - from[1]) * scale;
    from = [event.clientX, event.clientY];
  });
  addEventListener("pointerup", () => (from = null));
  drawing.addEventListener("click", (event) => moved && event.preventDefault(), true);
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const factor = Math.exp(event.deltaY / 300);
      const width = Math.min(2400, Math.max(200, view.width * factor));
      const share = width / view.width;
      const box = drawing.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
      view.x += view.width * x * (1 - share);
      view.y += view.height * y * (1 - share);
      view.height *= share;
      view.width = width;
    },
    { passive: false },
  );
})();
