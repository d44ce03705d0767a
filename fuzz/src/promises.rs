//! What every table that is handed out keeps.

use partwise_io::{Layout, Table, Values};

/// Panics if a table breaks a promise.
pub(crate) fn check(table: &Table) {
    assert!(table.rows > 0 && table.cols > 0, "an empty matrix");
    for (names, size) in [(&table.row_names, table.rows), (&table.col_names, table.cols)] {
        assert!(names.as_ref().is_none_or(|names| names.len() == size), "names for other rows");
    }
    for notice in &table.notices {
        assert!(!notice.to_string().is_empty(), "a notice without words");
    }
    match &table.values {
        Values::Dense { numbers, .. } => assert_eq!(numbers.len(), table.rows * table.cols),
        Values::Sparse { layout, indptr, indices, numbers } => {
            let (major, minor) = match layout {
                Layout::Csr => (table.rows, table.cols),
                Layout::Csc => (table.cols, table.rows),
            };
            assert_eq!((indptr.len(), indices.len()), (major + 1, numbers.len()));
            assert_eq!((indptr[0], indptr[major]), (0, indices.len() as u64));
            for ends in indptr.windows(2) {
                let at = |end: u64| usize::try_from(end).unwrap_or(usize::MAX);
                let row = &indices[at(ends[0])..at(ends[1])];
                assert!(row.is_sorted_by(|a, b| a < b), "a row that is not sorted");
                assert!(row.iter().all(|&i| (i as usize) < minor), "an index out of range");
            }
        }
    }
}
