"""HTTP routes: parameters in, a query asked, its answer out."""
