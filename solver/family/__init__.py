"""One family of categories: a quick plan, a tight relaxation, the exact model of what could still matter."""
