//! What axe-core finds on each page.

use servers::Axe;

use crate::browser::Browser;
use crate::walk::{DESKTOP, PHONE, walk};

pub(crate) async fn nothing_is_in_the_way_on_a_light_phone(browser: &Browser) {
    nothing_is_in_the_way(browser, "light", PHONE).await;
}

pub(crate) async fn nothing_is_in_the_way_on_a_dark_phone(browser: &Browser) {
    nothing_is_in_the_way(browser, "dark", PHONE).await;
}

pub(crate) async fn nothing_is_in_the_way_on_a_light_desktop(browser: &Browser) {
    nothing_is_in_the_way(browser, "light", DESKTOP).await;
}

pub(crate) async fn nothing_is_in_the_way_on_a_dark_desktop(browser: &Browser) {
    nothing_is_in_the_way(browser, "dark", DESKTOP).await;
}

async fn nothing_is_in_the_way(browser: &Browser, scheme: &str, size: (u32, u32)) {
    let axe = Axe::script();
    walk(browser, scheme, size, async |name| {
        let dark = browser.script("return matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!(dark, scheme == "dark", "{name}");
        // The driver's scripts are not held to the page's content security policy.
        browser.script(&axe).await;
        let run = "
            const done = arguments[arguments.length - 1];
            axe.run().then(
                result => done(result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`)),
                error => done([String(error)]),
            );
        ";
        let violations = browser.script_async(run).await;
        assert_eq!(violations, serde_json::json!([]), "{name}");
    })
    .await;
}
