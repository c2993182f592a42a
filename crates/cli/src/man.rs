//! The manual page: one page with a section for each subcommand.

use crate::args::Cli;
use crate::failure::{Failure, Kind};
use crate::output;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;

/// Prints the manual page as roff.
///
/// # Errors
/// If standard output cannot be written.
pub fn run() -> Result<(), Failure> {
    let page = page().map_err(|error| Kind::Unexpected.because(error))?;
    output::print(&page)
}

fn page() -> io::Result<Vec<u8>> {
    let mut cli = Cli::command();
    cli.build();
    let man = Man::new(cli.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for command in subcommands(&cli) {
        section(command, &mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// Removes references to `proofkey-login(1)` and the like: there are no such pages.
fn subcommands(cli: &Command) -> impl Iterator<Item = &Command> {
    cli.get_subcommands().filter(|command| command.get_name() != "help")
}

/// A subcommand's page as one section of this one: its headings go down a level.
fn section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_name();
    let man = Man::new(command.clone());
    let mut roff = Vec::new();
    man.render_synopsis_section(&mut roff)?;
    man.render_description_section(&mut roff)?;
    man.render_options_section(&mut roff)?;
    man.render_extra_section(&mut roff)?;
    page.extend_from_slice(format!(".SH \"PROOFKEY {}\"\n", name.to_uppercase()).as_bytes());
    for line in roff.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b".SH ") {
            Some(heading) => {
                page.extend_from_slice(b".SS ");
                page.extend_from_slice(heading);
            }
            None => page.extend_from_slice(line),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_subcommand_and_the_exit_codes() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for heading in ["PROOFKEY LOGIN", "PROOFKEY TOKEN", "PROOFKEY CALL", "PROOFKEY STATUS", "PROOFKEY LOGOUT"] {
            assert_eq!(page.matches(&format!(".SH \"{heading}\"")).count(), 1, "{heading}");
        }
        assert_eq!(page.matches(".TH ").count(), 1);
        assert_eq!(page.matches("\n.SH SYNOPSIS\n").count(), 1, "those of the subcommands are below theirs");
        assert!(page.contains("Exit codes"), "{page}");
        let (_, notes) = page.split_once("PROOFKEY MAN").unwrap();
        assert!(
            notes.contains("Exit codes") && notes.contains(".SH VERSION"),
            "they come after the subcommands: {notes}"
        );
    }

    #[test]
    fn the_page_names_no_page_that_does_not_exist() {
        let page = String::from_utf8(page().unwrap()).unwrap().replace('\\', "");
        let mut cli = Cli::command();
        cli.build();
        for command in subcommands(&cli) {
            assert!(!page.contains(&format!("proofkey-{}", command.get_name())), "{}", command.get_name());
        }
    }
}
