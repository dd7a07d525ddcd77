//! What must hold, whatever is put in: the fuzz targets call these functions, and the tests of the project include them.

pub mod checks;
pub mod reading;
