"""Controls that the paper lacks, each a plug-in of one file: docs/bring-your-own.md says how such a file is used."""
