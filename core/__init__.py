"""What every layer needs and no layer owns: errors, bounded JSON, pages, ids, text rules, transactions."""
