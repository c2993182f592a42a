//! The manual page: one, with a section for each subcommand.

use crate::args::Cli;
use crate::failure::{Failure, Kind};
use crate::output;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;

/// Prints the manual page as roff.
///
/// # Errors
/// Where the standard output cannot be written.
pub fn run() -> Result<(), Failure> {
    let page = page().map_err(|error| Kind::Unexpected.because(error))?;
    output::print(&page)
}

fn page() -> io::Result<Vec<u8>> {
    let mut cli = Cli::command();
    cli.build();
    let mut page = Vec::new();
    Man::new(cli.clone()).render(&mut page)?;
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        section(command, &mut page)?;
    }
    Ok(page)
}

/// A subcommand's page as one section of ours: its headings go down a level.
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
    }
}
