"use strict";
for (const film of document.querySelectorAll(".film")) {
  const data = JSON.parse(film.querySelector("script").textContent);
  const [slider, button, words] = ["input", "button", "output"].map((tag) => film.querySelector(tag));
  const last = data.words.length - 1;
  let timer = null;

  const show = (frame) => {
    slider.value = frame;
    words.textContent = data.words[frame];
    for (const [place, pictures] of Object.entries(data.pictures))
      film.querySelector("#" + place).setAttribute("href", "data:image/png;base64," + pictures[frame]);
    for (const [place, shifts] of Object.entries(data.marks))
      film.querySelector("#" + place).setAttribute("transform", `translate(${shifts[frame]} 0)`);
  };
  const go = (frame) => show(Math.max(0, Math.min(last, frame)));
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  const play = () => {
    if (+slider.value === last) show(0);
    button.textContent = "Pause";
    timer = setInterval(() => (+slider.value < last ? go(+slider.value + 1) : stop()), data.pause);
  };
  const toggle = () => (timer === null ? play() : stop());
  const keys = {
    " ": toggle,
    ArrowLeft: () => (stop(), go(+slider.value - 1)),
    ArrowRight: () => (stop(), go(+slider.value + 1)),
    Home: () => (stop(), go(0)),
    End: () => (stop(), go(last)),
  };

  button.addEventListener("click", toggle);
  slider.addEventListener("input", () => (stop(), go(+slider.value)));
  document.addEventListener("keydown", (event) => {
    if (!(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  film.querySelector(".controls").hidden = false;
  show(+slider.value);
}
