"""What would happen without the plan, also under forecast error."""
