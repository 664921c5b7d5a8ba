"use strict";
// Filters and sorts the table of cells. What is chosen is in the address after the #, so that a view can be linked.
(() => {
  const table = document.getElementById("cells");
  const form = document.getElementById("filters");
  const heads = [...table.tHead.rows[0].cells];
  const column = new Map(heads.map((head, index) => [head.dataset.key, index]));
  const rows = [...table.tBodies[0].rows];
  const value = (row, key) => {
    const cell = row.cells[column.get(key)];
    return cell.dataset.value ?? cell.textContent;
  };
  const words = new Map(rows.map((row) => [row, [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase()]));
  const only = {
    bad: (row) => row.dataset.kind === "bad",
    twice: (row) => Number(value(row, "exec")) > 1,
    unproved: (row) => ["unproved", "missing"].includes(row.dataset.kind),
  };
  let sorted = { key: "", down: false };

  function filter() {
    const asked = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...form.querySelectorAll("select")].filter((select) => select.value);
    const kinds = [...form.querySelectorAll("[name=only]:checked")].map((box) => only[box.value]);
    let shown = 0;
    for (const row of rows) {
      const meant =
        asked.every((word) => words.get(row).includes(word)) &&
        chosen.every((select) => value(row, select.name) === select.value) &&
        (!kinds.length || kinds.some((is) => is(row)));
      row.hidden = !meant;
      shown += meant;
    }
    document.getElementById("count").textContent = `${shown} of ${rows.length} cells`;
  }

  function sort() {
    const { key, down } = sorted;
    const order = [...rows];
    if (key) {
      const number = "number" in heads[column.get(key)].dataset;
      const compare = new Intl.Collator("en").compare;
      const by = new Map(rows.map((row) => [row, value(row, key)]));
      order.sort((a, b) => {
        const [x, y] = [by.get(a), by.get(b)];
        if (!x || !y) return !x - !y; // what has no value comes last, either way
        return (number ? x - y : compare(x, y)) * (down ? -1 : 1);
      });
    }
    table.tBodies[0].append(...order);
    for (const head of heads) {
      if (key && head.dataset.key === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  }

  function write() {
    const said = new URLSearchParams([...new FormData(form)].filter(([, text]) => text));
    if (sorted.key) said.set("sort", (sorted.down ? "-" : "") + sorted.key);
    history.replaceState(null, "", said.size ? `#${said}` : location.pathname + location.search);
  }

  function read() {
    const said = new URLSearchParams(location.hash.slice(1));
    for (const control of form.querySelectorAll("select, [name=q]")) {
      control.value = said.get(control.name) ?? "";
      if (control.value === "" && control.options) control.selectedIndex = 0; // a value that this run does not have
    }
    for (const box of form.querySelectorAll("[name=only]")) box.checked = said.getAll("only").includes(box.value);
    const by = said.get("sort") ?? "";
    const key = by.replace(/^-/, "");
    sorted = column.has(key) ? { key, down: by.startsWith("-") } : { key: "", down: false };
    filter();
    sort();
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const again = sorted.key === head.dataset.key;
      // Upwards, downwards, and as it was.
      sorted = again && sorted.down ? { key: "", down: false } : { key: head.dataset.key, down: again };
      sort();
      write();
    });
  }
  form.addEventListener("input", () => (filter(), write()));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => (filter(), write())));
  for (const link of document.querySelectorAll(".grid a")) {
    // A word of the grid stands for all cells of its client, preset and death.
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const row = document.querySelector(link.getAttribute("href"));
      form.reset();
      for (const key of ["client", "shape", "preset", "death"]) if (form[key]) form[key].value = value(row, key);
      filter();
      write();
      document.getElementById("all").scrollIntoView();
      table.parentElement.focus({ preventScroll: true });
    });
  }
  addEventListener("hashchange", read);
  form.hidden = false;
  read();
})();
