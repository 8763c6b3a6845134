"""Benchmarks: ``python -m benchmarks.<name>`` prints one JSON object. Ratios compare what one run measured by turns."""
