"use strict";
// The page's own program: the table of parts, its filters, and the language. Every text goes in as text, never as markup.
(() => {
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const by = (id) => document.getElementById(id);
  const words = json("words");
  const { rows, signs, language: first } = json("data");
  const CHUNK = 60;
  const PRINT_MOST = 500;
  let language = first;
  let crops = null;
  let listed = null;
  let shown = rows;
  let drawn = 0;

  const t = (key, gaps = {}) => {
    // A consignee may be called as a property of every object is.
    let text = Object.hasOwn(words[language], key) ? words[language][key] : key;
    for (const [name, value] of Object.entries(gaps)) text = text.replaceAll("{" + name + "}", () => String(value));
    return text;
  };
  const add = (parent, name, text, attributes = {}) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined && text !== null) element.textContent = text;
    parent.append(element);
    return element;
  };
  const region = (code) => {
    try { return new Intl.DisplayNames([language], { type: "region" }).of(code); } catch { return code; }
  };
  const place = (name, country) => (country ? name + " (" + country + ")" : name);

  // What a row is searched and compared by, made once.
  for (const row of rows) {
    row.buyer = row.consignee ? place(row.consignee, row.consignee_country) : "";
    row.by = row.maker ? place(row.maker, row.country) : "";
    const texts = [row.id, row.verdict, row.reason, row.by, row.line, row.key, row.part, row.lot, row.serial, row.date,
      row.buyer, row.address, row.case, row.container, ...row.photos];
    for (const hand of row.hands ?? []) texts.push(hand.to);
    for (const finding of row.findings ?? []) texts.push(...finding);
    for (const copy of row.clones ?? []) texts.push(copy.why, copy.detail, copy.here.name, copy.there.name, copy.case);
    row.text = texts.filter(Boolean).join("\n").toLowerCase();
  }

  const tag = (parent, verdict) => add(parent, "span", t(verdict), { class: "tag " + verdict, "data-sign": signs[verdict] });
  const cell = (tr, label, name = "td") => add(tr, name, null, { "data-label": label + ":" });
  const lines = (parent, texts) => {
    for (const text of texts.filter(Boolean)) add(add(parent, "span", null, { class: "sub" }), "bdi", text);
  };

  // Inside the page, be it in the list above or in its data; or else beside it.
  const source = (crop) => {
    crops ??= json("crops");
    listed ??= new Map([...document.querySelectorAll("#first img")].map((image) => [image.dataset.crop, image.getAttribute("src")])
      .filter(([, src]) => src.startsWith("data:")));
    return Object.hasOwn(crops, crop) ? "data:image/jpeg;base64," + crops[crop] : listed.get(crop) ?? crop;
  };
  const picture = (parent, crop, without, alt) => {
    if (!crop) { add(parent, "span", t(without), { class: "sub without" }); return; }
    add(parent, "img", null, { alt, loading: "lazy", decoding: "async" }).src = source(crop);
  };

  // The two photos of a finding, side by side, in a row of their own.
  const pair = (td, copy) => {
    const text = add(td, "p");
    add(text, "strong", t(copy.why));
    add(text, "span", ": ");
    add(text, "span", copy.detail, { lang: "en" });
    const box = add(td, "div", null, { class: "pair" });
    for (const [key, side] of [["seen", copy.here], ["held-against", copy.there]]) {
      const figure = add(box, "figure");
      picture(figure, side.crop, side.without, t("picture-in", { name: side.name }));
      const caption = add(figure, "figcaption", t(key) + " ");
      add(caption, "bdi", side.name);
      const told = [["in-case", side === copy.there && copy.case], ["taken", side.taken], ["place", side.place]];
      for (const [what, text] of told) {
        if (!text) continue;
        add(caption, "br");
        caption.append(t(what) + " ");
        add(caption, "bdi", text);
      }
    }
  };

  const details = (td, row) => {
    const box = add(td, "details");
    add(box, "summary", t("details"));
    // Filled when it is opened: ten thousand of these would only cost.
    box.addEventListener("toggle", () => {
      if (box.childElementCount > 1) return;
      const list = add(box, "dl");
      // Sentences of evidence stay as they were written, in English.
      const fact = (key, texts, english = []) => {
        const [known, written] = [texts.filter(Boolean), english.filter(Boolean)];
        if (!known.length && !written.length) return;
        add(list, "dt", t(key));
        for (const text of known) add(add(list, "dd"), "bdi", text);
        for (const text of written) add(add(list, "dd", null, { lang: "en" }), "bdi", text);
      };
      fact("id", [row.id]);
      fact("reason", [t(`means-${row.verdict}`)], [row.reason]);
      fact("line", [[row.line, row.site !== undefined && t("site") + " " + row.site, row.key && t("key") + " " + row.key].filter(Boolean).join(", ")]);
      fact("consignee", [row.address, row.case && t("case-of") + " " + row.case]);
      fact("remarks", [], (row.findings ?? []).map((finding) => finding[1]));
      fact("photo", row.photos);
    });
  };

  const draw = (body, row) => {
    const tr = add(body, "tr");
    const crop = cell(tr, t("picture"));
    crop.className = "crop";
    crop.removeAttribute("data-label");
    picture(crop, row.crop, row.without, t("picture-of", { id: row.id }));
    const verdict = cell(tr, t("verdict"));
    tag(verdict, row.verdict);
    if (row.doubtful) add(add(verdict, "span", null, { class: "sub" }), "span", t("doubtful"), { class: "tag doubt", "data-sign": "!" });
    if (row.lead) add(verdict, "span", t("lead"), { class: "sub lead" });
    const part = cell(tr, t("part"));
    add(part, "bdi", row.part ?? "");
    lines(part, [row.lot && t("lot") + " " + row.lot, row.container]);
    const serial = cell(tr, t("serial"));
    add(serial, "bdi", row.serial ?? "");
    const date = cell(tr, t("date"));
    date.append(row.date ?? "");
    serial.className = date.className = "fix";
    const maker = cell(tr, t("maker"));
    add(maker, "bdi", row.maker ?? "");
    lines(maker, [row.country && region(row.country)]);
    const consignee = cell(tr, t("consignee"));
    if (row.consignee) add(consignee, "bdi", row.consignee);
    else if (row.status) add(consignee, "span", t(row.status), { class: "sub" });
    lines(consignee, [row.consignee_country && region(row.consignee_country)]);
    if (row.hands?.length) {
      const list = add(consignee, "ul");
      for (const hand of row.hands) {
        add(add(list, "li"), "bdi", [hand.date, t(hand.event), hand.to, hand.corrected && "(" + t("said-wrong") + ")"].filter(Boolean).join(" "));
      }
    }
    const remarks = cell(tr, t("remarks"));
    for (const copy of row.clones ?? []) add(add(remarks, "span", null, { class: "sub" }), "strong", t(copy.why));
    lines(remarks, (row.findings ?? []).map((finding) => t(finding[0])));
    details(remarks, row);
    if (!row.clones) return;
    tr.className = "paired";
    const pairs = add(add(body, "tr", null, { class: "pairs" }), "td", null, { colspan: 8 });
    for (const copy of row.clones) pair(pairs, copy);
  };

  const table = by("rows");
  const more = by("more");
  // Each chunk is a body of its own, so that the browser lays out only those in sight.
  const grow = (most = CHUNK) => {
    const body = document.createElement("tbody");
    for (const row of shown.slice(drawn, drawn + most)) draw(body, row);
    table.append(body);
    drawn = Math.min(drawn + most, shown.length);
    more.hidden = drawn >= shown.length;
  };
  const redraw = () => {
    for (const body of [...table.tBodies]) body.remove();
    drawn = 0;
    grow();
    by("shown").textContent = t("shown", { n: shown.length, of: rows.length });
  };

  const fields = { verdict: (row) => row.verdict, maker: (row) => row.by, consignee: (row) => row.buyer || row.status, lot: (row) => row.lot ?? "" };
  const orders = {
    gravest: null,
    serial: (a, b) => (a.serial ?? "").length - (b.serial ?? "").length || compare(a.serial, b.serial),
    date: (a, b) => compare(a.date, b.date),
    part: (a, b) => compare(a.part, b.part),
    lot: (a, b) => compare(a.lot, b.lot),
    maker: (a, b) => compare(a.by, b.by),
    consignee: (a, b) => compare(a.buyer, b.buyer),
  };
  const compare = (a = "", b = "") => (a < b ? -1 : a > b ? 1 : 0);
  const filter = () => {
    const wanted = by("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = Object.entries(fields).map(([id, of]) => [by(id).value, of]).filter(([value]) => value !== "");
    const doubtful = by("doubtful").checked;
    shown = rows.filter((row) => (!doubtful || row.doubtful)
      && chosen.every(([value, of]) => of(row) === value) && wanted.every((word) => row.text.includes(word)));
    const order = orders[by("sort").value];
    if (order) shown.sort(order);
    redraw();
  };

  const option = (select, value, text) => add(select, "option", text, { value });
  const fillSelects = () => {
    for (const [id, of] of Object.entries(fields)) {
      const select = by(id);
      const before = select.value;
      select.replaceChildren();
      option(select, "", t("all"));
      const counts = new Map();
      for (const row of rows) { const value = of(row); if (value) counts.set(value, (counts.get(value) ?? 0) + 1); }
      const named = id === "verdict" || id === "consignee";
      for (const [value, n] of [...counts].sort((a, b) => b[1] - a[1]).slice(0, 1000)) {
        option(select, value, (named ? t(value) : value) + " (" + n + ")");
      }
      select.value = before;
    }
    const sort = by("sort");
    const before = sort.value || "gravest";
    sort.replaceChildren();
    option(sort, "gravest", t("sort-gravest"));
    for (const key of Object.keys(orders).slice(1)) option(sort, key, t(key));
    sort.value = before;
  };

  const speak = (tag) => {
    language = tag;
    document.documentElement.lang = tag;
    for (const element of document.querySelectorAll("[data-t]")) {
      element.textContent = t(element.dataset.t, { ...element.dataset });
    }
    for (const title of document.querySelectorAll("[data-tip]")) {
      title.textContent = JSON.parse(title.dataset.tip).map((piece) => (Array.isArray(piece) ? t(piece[0]) : piece)).join("");
    }
    for (const key of ["flows", "map", "timeline"]) document.querySelector("#" + key + " svg[role=img]")?.setAttribute("aria-label", t(key));
    for (const element of document.querySelectorAll("[data-name-t]")) element.setAttribute("aria-label", t(element.dataset.nameT));
    for (const image of document.querySelectorAll("[data-alt]")) image.alt = t(image.dataset.alt, { name: image.dataset.name });
    for (const element of document.querySelectorAll("[data-country]")) element.textContent = region(element.dataset.country);
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === tag));
    }
    fillSelects();
    filter();
  };

  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => speak(button.dataset.language));
  }
  // A button in the tables above sets one filter, and goes to the parts.
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => {
      by("filters").reset();
      const field = by(button.dataset.pick);
      if ([...(field.options ?? [])].some((own) => own.value === button.dataset.value)) field.value = button.dataset.value;
      else by("text").value = button.dataset.value;
      filter();
      by("parts").scrollIntoView();
      by("text").focus({ preventScroll: true });
    });
  }
  by("filters").addEventListener("input", filter);
  by("filters").addEventListener("submit", (event) => event.preventDefault());
  by("filters").addEventListener("reset", () => setTimeout(filter));
  more.addEventListener("click", () => grow());
  new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) grow(); }, { rootMargin: "1500px" }).observe(more);

  addEventListener("beforeprint", () => {
    if (drawn < Math.min(shown.length, PRINT_MOST)) grow(PRINT_MOST - drawn);
    for (const image of table.querySelectorAll("img")) image.loading = "eager";
    const printed = by("printed");
    printed.textContent = t("printed", { n: drawn, of: shown.length });
    printed.hidden = drawn >= shown.length;
  });
  speak(first);
  document.documentElement.dataset.ready = "yes";
})();
