//! The app in a browser: the real program, and Chromium.

mod accessibility;
mod browser;
mod keyboard;
mod session;
mod sign_in;
mod site;
mod walk;

use std::process::ExitCode;

use servers::{Axe, Chromium};

fn main() -> ExitCode {
    servers::run(servers::trials! {
        |test| browser::with(async |browser| test(browser).await);
        Chromium::available() =>
            sign_in [
                one_click_and_a_name_sign_in_and_every_page_is_there,
                one_comes_back_to_the_page_that_was_asked_for,
                two_tabs_sign_in_at_once_the_first_one_first,
                two_tabs_sign_in_at_once_the_last_one_first,
                a_cancelled_sign_in_can_be_tried_again,
                going_back_into_a_sign_in_does_no_harm,
            ],
            session [
                scripts_cannot_see_the_cookie_and_its_ticket_changes,
                after_sign_out_the_back_button_shows_nothing_private,
                a_link_to_the_sign_out_shows_a_button_that_signs_out,
            ],
            keyboard [the_keyboard_is_enough, the_skip_link_leads_to_the_content],
            walk [no_page_is_wider_than_a_small_phone, the_readme_has_a_picture_of_the_home_page];
        Chromium::available().and(Axe::available()) =>
            accessibility [
                nothing_is_in_the_way_on_a_light_phone,
                nothing_is_in_the_way_on_a_dark_phone,
                nothing_is_in_the_way_on_a_light_desktop,
                nothing_is_in_the_way_on_a_dark_desktop,
            ];
    })
}
