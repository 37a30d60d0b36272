"""What studies share: cases, scores, tables, trainings and the pages made of them."""
