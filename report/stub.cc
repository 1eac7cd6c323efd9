namespace assay::report { int nothing_yet; }
