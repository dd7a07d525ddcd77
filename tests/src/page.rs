//! Pages of measurements, each section of which the bench that measures it writes.

use std::io;
use std::path::Path;

/// Puts `body` under the heading `## title` of the Markdown page at `path`, in place of what stands there.
///
/// # Errors
/// The page cannot be read or written, or has no such heading.
pub fn put_section(path: &Path, title: &str, body: &str) -> io::Result<()> {
    let page = std::fs::read_to_string(path)?;
    let page = with_section(&page, title, body)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("it has no heading \"## {title}\"")))?;
    std::fs::write(path, page)
}

fn with_section(page: &str, title: &str, body: &str) -> Option<String> {
    let heading = format!("## {title}\n");
    let (before, after) = page.split_once(&heading)?;
    let rest = after.find("\n## ").map_or("", |at| after.get(at..).unwrap_or_default());
    Some(format!("{before}{heading}\n{}\n{rest}", body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_rest_stays() {
        let page = "# Page\n\nintro\n\n## A\n\nold\n\n## B\n\nlast\n";
        assert_eq!(with_section(page, "A", "new\n").unwrap(), "# Page\n\nintro\n\n## A\n\nnew\n\n## B\n\nlast\n");
        assert_eq!(with_section(page, "B", "new").unwrap(), "# Page\n\nintro\n\n## A\n\nold\n\n## B\n\nnew\n");
        assert_eq!(with_section(page, "C", "new"), None);
    }
}
