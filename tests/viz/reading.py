"""What a person would read off the page, and do with it, for the tests in a browser."""


def says(browser):
    return browser.run("document.getElementById('what').textContent")


def count(browser):
    return browser.run("document.getElementById('count').textContent")


def boxes(browser):
    return browser.run("[...document.querySelectorAll('#stage .nodes > g')].map(g => g.id.split('-')[1])")


def lines(browser, node):
    return browser.run(f"[...document.querySelectorAll('#s0-n{node} text')].map(t => t.textContent)")


def lit(browser):
    return browser.run("[...document.querySelectorAll('#stage .current')].map(e => e.id || e.dataset.ends)")


def seen(browser):
    """The part of the drawing that is seen: x, y, width, height."""
    box = browser.run("document.querySelector('#stage > svg:not([hidden])').getAttribute('viewBox')")
    return [float(n) for n in box.split()]


def level(browser, name):
    browser.run(
        f"[...document.querySelectorAll('#levels button')].find(b => b.textContent === {name!r}).click()"
    )


def set_to(browser, control, value, event="input"):
    """Move a slider, or choose from a list."""
    element = f"document.getElementById({control!r})"
    browser.run(f"{element}.value = {value}; {element}.dispatchEvent(new Event({event!r}))")


def pressed(browser):
    return browser.run("document.querySelector('#levels [aria-pressed=true]')?.textContent")


def chosen(browser):
    return browser.run("document.getElementById('chosen').textContent")


def wait_a_frame(browser):
    """Until what was asked for in the next frame of the screen is done."""
    browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def wait_until(browser, condition):
    """Until a condition in JavaScript holds, however busy the machine is."""
    browser.run(
        "new Promise((done, fail) => { const end = performance.now() + 20000; const look = () => {"
        f"if ({condition}) done(); else if (performance.now() > end) fail(new Error({condition!r}));"
        "else setTimeout(look, 20); }; look(); })"
    )
