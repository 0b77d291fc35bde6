// What does not fit on a slide goes on to the next below it, so that nothing is ever cut off.
(() => {
  const WIDTH = 1920, HEIGHT = 1080, MARGIN = 60, SMALLEST = { text: 24, code: 20 };

  // Pictures are drawn for a page: on a screen for hundreds they are shown twice as large.
  function enlarge(section) {
    for (const picture of section.querySelectorAll("img")) {
      const density = picture.naturalWidth / (picture.getAttribute("width") || picture.naturalWidth);
      const scale = Math.min(2 / density, 1760 / picture.naturalWidth, 860 / picture.naturalHeight);
      picture.style.width = `${Math.floor(scale * picture.naturalWidth)}px`;
    }
  }

  // A cell's HTML is one block after the other; a fragment's blocks each become fragments.
  function flatten(section) {
    for (const box of [...section.querySelectorAll(":scope > .fragment")]) {
      for (const child of [...box.children]) {
        child.classList.add("fragment");
        section.insertBefore(child, box);
      }
      box.remove();
    }
  }

  const bottom = (block, section) =>
    block.getBoundingClientRect().bottom - section.getBoundingClientRect().top;

  // A slide without a heading of its own bears the last one, small: nobody asks what it is about.
  let title = "";
  const HEADINGS = "h1, h2, h3, h4";

  function head(section) {
    const own = section.querySelector(HEADINGS);
    if (own && section.firstElementChild === own) {
      title = own.textContent;
      return;
    }
    const running = document.createElement("p");
    running.className = "running";
    running.textContent = title;
    section.prepend(running);
    if (own) title = own.textContent;
  }

  function follow(section, blocks) {
    const next = document.createElement("section");
    next.append(...blocks);
    section.after(next);
    head(next);
    return next;
  }

  const isHeading = (block) => /^H[1-6]$/.test(block.tagName) || block.className === "running";

  // Too tall by itself: long tables, lists and outputs are cut in two, other things made smaller.
  function divide(block) {
    const lines = block.matches("pre.output") ? block.textContent.split("\n") : [];
    if (lines.length > 26) {
      const rest = block.cloneNode(), half = Math.ceil(lines.length / 2);
      block.textContent = lines.slice(0, half).join("\n");
      rest.textContent = lines.slice(half).join("\n");
      block.after(rest);
      return true;
    }
    const rows = block.matches("table") ? block.tBodies[0]?.rows : block.matches("ul, ol") ? block.children : null;
    if (!rows || rows.length < 2) return false;
    const rest = block.cloneNode(true), half = Math.ceil(rows.length / 2);
    const inner = (x) => (x.matches("table") ? x.tBodies[0] : x);
    [...inner(block).children].slice(half).forEach((row) => row.remove());
    [...inner(rest).children].slice(0, half).forEach((row) => row.remove());
    if (rest.matches("ol")) rest.start = (block.start || 1) + half;
    block.after(rest);
    return true;
  }

  function shrink(block, section) {
    for (const picture of block.querySelectorAll("img")) {
      const over = bottom(block, section) - (HEIGHT - MARGIN), box = picture.getBoundingClientRect();
      if (over > 0) picture.style.width = `${Math.floor(box.width * (1 - over / box.height))}px`;
    }
    const text = block.matches("pre") ? block : block.querySelector("pre") || block;
    const least = text.matches("pre") ? SMALLEST.code : SMALLEST.text;
    let size = parseFloat(getComputedStyle(text).fontSize);
    while (size > least && bottom(block, section) > HEIGHT - MARGIN) text.style.fontSize = `${--size}px`;
  }

  // Too wide: a long formula, a table of many columns.
  function narrow(section) {
    const right = section.getBoundingClientRect().left + WIDTH - 80;
    const widest = (block) => Math.max(...[block, ...block.querySelectorAll("*")].map((x) => x.getBoundingClientRect().right));
    for (const block of section.children) {
      let size = parseFloat(getComputedStyle(block).fontSize);
      while (size > SMALLEST.text && widest(block) > right) block.style.fontSize = `${--size}px`;
    }
  }

  // Nothing is hidden on a slide that would else begin empty.
  function reveal(section) {
    const first = [...section.children].find((block) => !isHeading(block));
    first?.classList.remove("fragment");
    return section;
  }

  function paginate(section) {
    flatten(section);
    head(section);
    enlarge(section);
    narrow(section);
    for (let guard = 0; guard < 60; guard++) {
      const blocks = [...section.children].filter((block) => block.tagName !== "ASIDE");
      const late = blocks.findIndex((block) => bottom(block, section) > HEIGHT - MARGIN);
      if (late < 0) {
        reveal(section);
        return;
      }
      let first = late;
      while (first > 0 && isHeading(blocks[first - 1])) first--;
      if (first > 0) {
        section = follow(reveal(section), blocks.slice(first));
      } else if (!divide(blocks[late])) {
        shrink(blocks[late], section);
        reveal(section);
        if (late + 1 >= blocks.length) return;
        section = follow(section, blocks.slice(late + 1));
      }
    }
  }

  window.addEventListener("load", () => {
    document.body.classList.add("measuring");
    for (const section of document.querySelectorAll(".slides > section > section")) paginate(section);
    document.body.classList.remove("measuring");
    Reveal.initialize({ width: WIDTH, height: HEIGHT, margin: 0, hash: true, center: false, transition: "none", slideNumber: "c/t" });
  });
})();
