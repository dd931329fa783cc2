"use strict";
// Curves, profiles and the table of a run. Texts of the records become text nodes only, never HTML.
(() => {
  const { n, columns, layers, labels, about, axis } = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const PAGE = 50; // rows of the table that are shown at once
  const MOST_PROFILES = 8;
  const MOST_NAMES = 16; // names of layers under the axis
  const MOST_DOTS = 1500;
  const DASHES = ["", "7 3", "2 2", "9 3 2 3", "12 4", "4 2 1 2"];
  const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
  const WIDTH = 960, HEIGHT = 360, LEFT = 68, RIGHT = 16, TOP = 12, BOTTOM = 46;
  const byId = (id) => document.getElementById(id);
  const texts = (name) => columns[name].texts;
  const code = (name, i) => columns[name].codes[i];
  const value = (name, i) => {
    const column = columns[name];
    if (!column) return null;
    return column.texts ? column.texts[column.codes[i]] : column[i];
  };
  const shown = (number) => String(Number.isInteger(number) ? number : Number(number.toPrecision(5)));

  function node(space, name, attributes, parent, text) {
    const made = space ? document.createElementNS(space, name) : document.createElement(name);
    for (const [key, one] of Object.entries(attributes)) made.setAttribute(key, one);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  // ---- colours: from the first to the last, dark to bright on white, and all of them bright enough on black
  function mixed(u) {
    const place = Math.min(Math.max(u, 0), 1) * (VIRIDIS.length - 1), low = Math.min(Math.floor(place), VIRIDIS.length - 2);
    const parts = [1, 3, 5].map((at) => {
      const [one, two] = [low, low + 1].map((stop) => parseInt(VIRIDIS[stop].slice(at, at + 2), 16));
      return Math.round(one + (place - low) * (two - one)).toString(16).padStart(2, "0");
    });
    return "#" + parts.join("");
  }
  const colors = (i, count) => {
    const u = count > 1 ? i / (count - 1) : 0;
    return `--light:${mixed(0.82 * u)};--dark:${mixed(0.38 + 0.62 * u)}`;
  };

  function swatch(attributes, parent, text) {
    const sample = node(SVG, "svg", { class: "swatch", viewBox: "0 0 36 10" }, parent);
    node(SVG, "path", { class: "line", d: "M0 5H36", ...attributes }, sample);
    parent.append(text);
  }

  // ---- what is chosen
  const state = { page: 0, runs: new Set(texts("run").keys()), layers: new Set(layers.keys()) };
  function options(id, entries, chosen) {
    const select = byId(id);
    select.replaceChildren(...entries.map(([key, text]) => node(null, "option", { value: key }, null, text)));
    if (entries.some(([key]) => String(key) === chosen)) select.value = chosen;
    select.closest("label").hidden = entries.length < 2 && (id !== "measure");
  }
  const chosenCode = (id) => Number(byId(id).value);

  function matching(names) {
    const wanted = names.map((name) => chosenCode(name));
    const found = [];
    for (let i = 0; i < n; i++) if (names.every((name, k) => code(name, i) === wanted[k])) found.push(i);
    return found;
  }

  function offer() {
    const before = [];
    for (const name of ["measure", "t", "order", "kernel"]) {
      const kept = byId(name).value;
      const present = [...new Set(before.length ? matching(before).map((i) => code(name, i)) : columns[name].codes)];
      options(name, present.map((one) => [one, texts(name)[one]]), kept);
      before.push(name);
    }
  }

  // ---- series: for each run and layer, points at all steps of the run
  const epochs = new Map();
  if (axis === "epoch") for (let i = 0; i < n; i++) epochs.set(code("run", i) + " " + columns.step[i], columns.epoch[i]);
  const moment = (run, step) => axis === "epoch" ? epochs.get(run + " " + step) : step;
  function series(indices) {
    const stepsOf = new Map(), found = new Map();
    for (const i of indices) {
      const run = code("run", i), layer = columns.layer.codes[i], key = run + " " + layer;
      if (!state.runs.has(run)) continue;
      if (!stepsOf.has(run)) stepsOf.set(run, new Set());
      stepsOf.get(run).add(columns.step[i]);
      if (!state.layers.has(layer)) continue;
      if (!found.has(key)) found.set(key, { run, layer, at: new Map() });
      found.get(key).at.set(columns.step[i], i);
    }
    const order = [...found.values()].sort((a, b) => a.run - b.run || a.layer - b.layer);
    const sorted = new Map([...stepsOf].map(([run, steps]) => [run, [...steps].sort((a, b) => a - b)]));
    return { order, steps: sorted };
  }
  const point = (x, i) => {
    const y = i === undefined ? null : columns.value[i], error = i === undefined ? null : value("standard_error", i);
    return { x, y, i, error: error || 0 };
  };

  // ---- a chart
  const marked = (tick) => String(Number(tick.toPrecision(12))); // without the rounding of k * step
  function ticks(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * power).find((one) => one >= rough * (1 - 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step && found.length < 50; k++) found.push(k * step);
    return found;
  }
  function range(numbers, margin) {
    let low = Infinity, high = -Infinity;
    for (const one of numbers) { if (one < low) low = one; if (one > high) high = one; }
    if (low > high) return [0, 1];
    if (low === high) { const reach = Math.max(Math.abs(low) / 10, 0.5); return [low - reach, high + reach]; }
    return [low - margin * (high - low), high + margin * (high - low)];
  }

  function frame(svg, lines, label, xLabel, names) {
    svg.replaceChildren();
    const bottom = names && names.some((one) => one.length > 8) ? 110 : BOTTOM;
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT - BOTTOM + bottom}`);
    const points = lines.flatMap((line) => line.points).filter((one) => one.y !== null);
    const [left, right] = names ? [-0.4, names.length - 0.6] : range(points.map((one) => one.x), 0.02);
    const means = lines.filter((line) => line.null).flatMap((line) => line.points).filter((one) => one.i !== undefined)
      .map((one) => value("null_mean", one.i)).filter((one) => one !== null);
    const [low, high] = range([...points.flatMap((one) => [one.y - one.error, one.y + one.error]), ...means], 0.05);
    const x = (at) => LEFT + (at - left) / (right - left) * (WIDTH - LEFT - RIGHT);
    const y = (at) => HEIGHT - BOTTOM - (at - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
    for (const at of ticks(low, high, 6)) {
      node(SVG, "line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(at), y2: y(at) }, svg);
      node(SVG, "text", { class: "tick", x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, svg, marked(at));
    }
    const along = names ? names.keys() : ticks(left, right, 9).filter((at) => axis === "epoch" || Number.isInteger(at));
    const every = names ? Math.ceil(names.length / MOST_NAMES) : 1;
    for (const at of along) {
      if (at % every && names) continue;
      const place = { class: "tick", x: x(at), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" };
      if (bottom !== BOTTOM) Object.assign(place, { "text-anchor": "end", transform: `rotate(-28 ${x(at)} ${place.y})` });
      const text = names ? names[at] : marked(at);
      const most = bottom === BOTTOM ? 22 : Math.min(22, Math.floor(x(at) / 6.5)); // as many as fit at its left
      node(SVG, "text", place, svg, text.length > most ? "…" + text.slice(1 - most) : text);
    }
    const middle = (TOP + HEIGHT - BOTTOM) / 2;
    node(SVG, "text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - BOTTOM + bottom - 8, "text-anchor": "middle" }, svg, xLabel);
    node(SVG, "text", { x: 16, y: middle, "text-anchor": "middle", transform: `rotate(-90 16 ${middle})` }, svg, label);
    if (!points.length) node(SVG, "text", { x: WIDTH / 2, y: middle, "text-anchor": "middle" }, svg, "no value of what is chosen");
    return { x, y, dots: points.length <= MOST_DOTS };
  }

  // Pieces of a line between its gaps.
  function pieces(points) {
    const found = [[]];
    for (const one of points) {
      if (one.y !== null) found[found.length - 1].push(one);
      else if (found[found.length - 1].length) found.push([]);
    }
    return found.filter((piece) => piece.length);
  }

  function chart(svg, lines, label, xLabel, names) {
    const { x, y, dots } = frame(svg, lines, label, xLabel, names);
    const place = (at, reach) => `${x(at.x).toFixed(1)} ${y(at.y + reach * (at.error || 0)).toFixed(1)}`;
    for (const [k, line] of lines.entries()) {
      const parts = pieces(line.points), style = line.colors;
      if (line.null) {
        const means = pieces(line.points.map((one) => ({ x: one.x, y: one.i === undefined ? null : value("null_mean", one.i) })));
        const d = means.map((piece) => "M" + piece.map((one) => place(one, 0)).join("L")).join("");
        node(SVG, "path", { class: "mean", d, style }, svg);
      }
      const erring = parts.filter((piece) => piece.length > 1 && piece.some((one) => one.error > 0));
      if (erring.length) {
        const band = erring.map((piece) => "M" + [...piece.map((one) => place(one, 1)),
          ...[...piece].reverse().map((one) => place(one, -1))].join("L") + "Z").join("");
        node(SVG, "path", { class: "band", d: band, style }, svg);
      }
      const d = parts.map((piece) => "M" + piece.map((one) => place(one, 0)).join("L")).join("");
      const path = node(SVG, "path", { class: "line", d, style, "stroke-dasharray": line.dash, "data-line": k }, svg);
      Object.assign(path.dataset, line.names);
      for (const piece of parts) {
        for (const one of piece) {
          const hollow = value("saturation", one.i) !== null;
          if (!dots && piece.length > 1 && !hollow) continue; // a single point has no line
          node(SVG, "circle", { class: hollow ? "dot hollow" : "dot", cx: x(one.x).toFixed(1), cy: y(one.y).toFixed(1), r: 2.4, style, "data-line": k }, svg);
        }
      }
    }
    const ring = node(SVG, "circle", { class: "near", r: 5, visibility: "hidden" }, svg);
    svg.onpointermove = (event) => hover(svg, event, lines, x, y, ring);
    svg.onpointerleave = () => unhover(svg, ring);
  }

  // ---- hover: the nearest point, with its record
  function unhover(svg, ring) {
    byId("tip").hidden = true;
    ring.setAttribute("visibility", "hidden");
    svg.classList.remove("hovered");
  }
  function hover(svg, event, lines, x, y, ring) {
    const box = svg.getBoundingClientRect(), scale = WIDTH / box.width;
    const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    let best = null, distance = 60 ** 2;
    lines.forEach((line, k) => line.points.forEach((one) => {
      if (one.y === null) return;
      const from = (x(one.x) - px) ** 2 + (y(one.y) - py) ** 2;
      if (from < distance) { distance = from; best = { k, one }; }
    }));
    if (!best) return unhover(svg, ring);
    ring.setAttribute("cx", x(best.one.x));
    ring.setAttribute("cy", y(best.one.y));
    ring.setAttribute("visibility", "visible");
    svg.classList.add("hovered");
    for (const drawn of svg.querySelectorAll("[data-line]")) drawn.classList.toggle("chosen", Number(drawn.dataset.line) === best.k);
    const tip = byId("tip");
    tip.textContent = described(best.one.i);
    tip.hidden = false;
    const left = Math.min(event.pageX + 14, window.scrollX + document.documentElement.clientWidth - tip.offsetWidth - 4);
    tip.style.left = Math.max(left, 0) + "px";
    tip.style.top = event.pageY + 14 + "px";
  }
  function described(i) {
    const error = value("standard_error", i), parts = [value("layer", i), `step ${columns.step[i]}`];
    if (texts("run").length > 1) parts.push(`run ${value("run", i)}`);
    parts.push(`${shown(columns.value[i])}${error ? " ± " + shown(error) : ""}`);
    for (const name of ["bandwidth", "n", "null_mean", "z", "p_value", "saturation", "warnings"]) {
      const one = value(name, i);
      if (one !== null) parts.push(`${name.replace("_", " ")}: ${typeof one === "number" ? shown(one) : one}`);
    }
    return parts.join("\n");
  }

  // ---- the table
  const FIELDS = ["run", "step", "epoch", "layer", "value", "standard_error", "lower", "upper", "n", "n_all", "d", "bandwidth",
    "bandwidth_multiple", "saturation", "null_mean", "null_standard_deviation", "z", "p_value", "seconds", "reason", "warnings"];
  const fields = FIELDS.filter((name) => columns[name]);
  const kind = (name) => ["reason", "warnings"].includes(name) ? "text long" : columns[name].texts ? "text" : "";
  // A text of one line, which opens and closes by a click or the Enter key.
  function longCell(text, cell) {
    const line = node(null, "div", { title: text, tabindex: 0 }, cell, text);
    line.onclick = () => line.classList.toggle("open");
    line.onkeydown = (event) => { if (event.key === "Enter") line.onclick(); };
  }
  function table(indices) {
    const rows = indices.filter((i) => state.runs.has(code("run", i)) && state.layers.has(columns.layer.codes[i]) &&
      !(byId("missing").checked && columns.value[i] !== null));
    const pages = Math.max(Math.ceil(rows.length / PAGE), 1);
    state.page = Math.min(Math.max(state.page, 0), pages - 1);
    byId("place").textContent = `page ${state.page + 1} of ${pages}, ${rows.length} records`;
    byId("previous").disabled = state.page === 0;
    byId("next").disabled = state.page === pages - 1;
    const body = byId("records").tBodies[0];
    body.replaceChildren();
    for (const i of rows.slice(state.page * PAGE, (state.page + 1) * PAGE)) {
      const row = node(null, "tr", {}, body);
      for (const name of fields) {
        const one = value(name, i);
        const text = typeof one === "number" ? shown(one) : one === null ? "" : one;
        if (kind(name) === "text long" && text) longCell(text, node(null, "td", { class: kind(name) }, row));
        else node(null, "td", { class: kind(name) }, row, text);
      }
    }
  }

  // ---- all of it
  function render() {
    offer();
    const measure = texts("measure")[chosenCode("measure")], indices = matching(["measure", "t", "order", "kernel"]);
    const label = labels[measure], { order, steps } = series(indices), several = texts("run").length > 1;
    const named = ["t", "order", "kernel"].map((name) => [name, texts(name)[chosenCode(name)]]).filter(([, text]) => text);
    byId("reading").textContent = [label, ...named.map(([name, text]) => name === "kernel" ? text : `${name} = ${text}`)].join(", ");
    const lines = order.map(({ run, layer, at }) => ({
      points: steps.get(run).map((step) => point(moment(run, step), at.get(step))), null: measure === "dse" && columns.null_mean, colors: colors(layer, layers.length),
      dash: DASHES[(several ? run : layer) % DASHES.length], names: { run: texts("run")[run], layer: layers[layer] },
    }));
    chart(byId("curves"), lines, label, axis);
    const drawn = lines.flatMap((line) => line.points).filter((one) => one.i !== undefined && one.y !== null);
    byId("saturated").hidden = !drawn.some((one) => value("saturation", one.i) !== null);
    byId("null").hidden = measure !== "dse" || !drawn.some((one) => value("null_mean", one.i) !== null);
    const runs = [...steps.keys()].sort((a, b) => a - b);
    options("profiled", runs.map((run) => [run, texts("run")[run]]), byId("profiled").value);
    const profiled = chosenCode("profiled");
    profiles(profiled, order.filter(({ run }) => run === profiled), steps.get(profiled) || [], label);
    table(indices);
  }
  function profiles(run, order, steps, label) {
    const count = Math.min(steps.length, MOST_PROFILES);
    const places = Array.from({ length: count }, (_, k) => Math.round(k * (steps.length - 1) / Math.max(count - 1, 1)));
    const lines = places.map((place, k) => ({
      points: order.map(({ at }, depth) => point(depth, at.get(steps[place]))),
      colors: colors(k, count), dash: DASHES[k % DASHES.length],
      names: { step: steps[place] },
    }));
    chart(byId("profiles"), lines, label, "layer", order.map(({ layer }) => layers[layer]));
    byId("shown").textContent = count < steps.length ? `, ${count} of ${steps.length} steps` : "";
    byId("steps").replaceChildren();
    for (const { colors: style, dash, names } of lines) {
      swatch({ style, "stroke-dasharray": dash }, node(null, "span", {}, byId("steps")), `${axis} ${shown(moment(run, names.step))}`);
    }
  }

  function switches(id, names, chosen, styled) {
    const set = byId(id);
    if (names.length < 2) set.hidden = true;
    const boxes = names.map((name, k) => {
      const label = node(null, "label", {}, set);
      const box = node(null, "input", { type: "checkbox", checked: "" }, label);
      box.onchange = () => { chosen[box.checked ? "add" : "delete"](k); render(); };
      swatch(styled(k), label, name);
      return box;
    });
    for (const [text, on] of [["all", true], ["none", false]]) {
      const button = node(null, "button", { type: "button" }, set, text);
      button.onclick = () => {
        boxes.forEach((box, k) => { box.checked = on; chosen[on ? "add" : "delete"](k); });
        render();
      };
    }
  }

  byId("about").textContent = about;
  const head = node(null, "tr", {}, byId("records").tHead);
  for (const name of fields) node(null, "th", { class: kind(name), scope: "col" }, head, name.replaceAll("_", " "));
  const severalRuns = texts("run").length > 1;
  switches("runs", texts("run"), state.runs, (k) => ({ style: "--light:#000;--dark:#fff",
    "stroke-dasharray": DASHES[k % DASHES.length] }));
  switches("layers", layers, state.layers, (k) => ({ style: colors(k, layers.length),
    "stroke-dasharray": severalRuns ? "" : DASHES[k % DASHES.length] }));
  for (const id of ["measure", "t", "order", "kernel", "profiled", "missing"]) {
    byId(id).onchange = () => { state.page = 0; render(); };
  }
  byId("previous").onclick = () => { state.page -= 1; render(); };
  byId("next").onclick = () => { state.page += 1; render(); };
  offer();
  const main = ["dse", "dsmi", "dsmi_inputs"].find((measure) => texts("measure").includes(measure));
  if (main) byId("measure").value = texts("measure").indexOf(main);
  render();
})();
