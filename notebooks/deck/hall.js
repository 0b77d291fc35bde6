// Each slide of a marked lesson is set in the largest type that fits. What does not fit even in the
// smallest stays too large: a lesson says less there, and its test says where.
(() => {
  const WIDTH = 1920, HEIGHT = 1080, BOTTOM = 56, SIDE = 80;
  const TYPE = { largest: 48, smallest: 32 }, PICTURE = 0.7;

  const widest = (block) =>
    Math.max(...[block, ...block.querySelectorAll("*")].map((x) => x.getBoundingClientRect().right));

  // How far a slide's text and formulas reach, and what they leave for its picture.
  function fits(slide) {
    const corner = slide.getBoundingClientRect(), last = slide.lastElementChild.getBoundingClientRect();
    if (last.bottom - corner.top > HEIGHT - BOTTOM + 1) return false;
    if (widest(slide) - corner.left > WIDTH) return false;
    if ([...slide.querySelectorAll(".step:not(.picture)")].some((x) => widest(x) - corner.left > WIDTH - SIDE + 1)) return false;
    const frames = slide.querySelector(".frames");
    return !frames || frames.clientHeight >= PICTURE * HEIGHT;
  }

  function enlarge(picture, frames) {
    const width = picture.getAttribute("width") || picture.naturalWidth;
    const shape = picture.naturalHeight / picture.naturalWidth;
    const shown = Math.floor(Math.min(frames.clientWidth, frames.clientHeight / shape));
    picture.dataset.scale = shown / width;
    picture.style.width = `${shown}px`;
    picture.style.height = `${Math.floor(shown * shape)}px`;
  }

  function fit(slide) {
    let size = TYPE.largest;
    const set = () => slide.style.setProperty("--type", `${size}px`);
    for (set(); size > TYPE.smallest && !fits(slide); set()) size--;
    const frames = slide.querySelector(".frames");
    for (const picture of slide.querySelectorAll(".frames img")) enlarge(picture, frames);
  }

  const room = () => document.body.classList.toggle("dark");

  window.addEventListener("load", async () => {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    document.body.classList.add("measuring");
    document.querySelectorAll(".slide").forEach(fit);
    document.body.classList.remove("measuring");
    Reveal.initialize({
      width: WIDTH, height: HEIGHT, margin: 0, hash: true, center: false, controls: false,
      transition: "none", slideNumber: "c/t", pdfSeparateFragments: false, plugins: [RevealNotes],
    });
    Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Dark or light room" }, room);
  });
})();
